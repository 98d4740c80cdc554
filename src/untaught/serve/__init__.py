"""`untaught serve`: a page on this machine on which pictures are restored and looked at.

`run` starts the server, `app` are its addresses, `guard` keeps others out, `folder` keeps what was uploaded,
and `desk` the jobs. Files are decoded, measured and restored in processes of their own (`worker`, which does
what `work` says), so that a file that ends one does not end the server; what the page shows of them is cut
from plain arrays by `tiles`.
"""
