from .estimate import Interval as Interval
from .estimate import Risk as Risk
from .estimate import estimate_risk as estimate_risk
from .sure import Recorruption as Recorruption
from .tweedie import Shrinkage as Shrinkage
