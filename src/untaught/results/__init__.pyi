from .recipe import PlaneRecipe as PlaneRecipe
from .recipe import Recipe as Recipe
from .restoration import PlaneResult as PlaneResult
from .restoration import Restoration as Restoration
from .result import Result as Result
