"""Ways to restore a picture, one a page, and the table of them."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)  # the names are in the stub beside
