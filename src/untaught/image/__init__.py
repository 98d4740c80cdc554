"""A picture: its values, axes, range and metadata, and its way in and out of files."""

import lazy_loader

__getattr__, __dir__, __all__ = lazy_loader.attach_stub(__name__, __file__)  # the names are in the stub beside
