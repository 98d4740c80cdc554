"""One network fitted to a folder of noisy pictures."""

from untaught.training.apply import apply
from untaught.training.train import train

__all__ = ["apply", "train"]
