"""untaught: image restoration with networks that nobody taught.

    import untaught
    result = untaught.denoise("noisy.tif")
    result.save("restored.tif")

Its names stand in the stub beside this page, `__init__.pyi`; each is loaded when it is first used, so that
`import untaught` stays fast.
"""

import lazy_loader

from untaught._version import __version__

__getattr__, __dir__, _names = lazy_loader.attach_stub(__name__, __file__)
__all__ = ["__version__", *sorted(_names)]
