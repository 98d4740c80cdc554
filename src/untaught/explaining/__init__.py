"""Why an untrained network restores a picture, on a person's own: the experiments, the words, the page.

explain(picture).save(folder)
"""

from __future__ import annotations

from untaught.explaining.explanation import Explanation, check_folder, explain
from untaught.explaining.work import Experiment

__all__ = ["Experiment", "Explanation", "check_folder", "explain"]
