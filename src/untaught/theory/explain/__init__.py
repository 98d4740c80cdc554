"""Why an untrained network restores a picture, on a person's own: the experiments, the words, the page.

explain(picture).save(folder)
"""

from __future__ import annotations

from untaught.theory.explain.experiments import Experiment
from untaught.theory.explain.explanation import Explanation, check_folder, explain

__all__ = ["Experiment", "Explanation", "check_folder", "explain"]
