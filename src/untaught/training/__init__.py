"""Dataset mode: a network is fitted to a folder of noisy pictures, kept in a file, and restores others like them.

`train` is the front door, `apply` restores; the loop is that of every fit (`untaught.fitting.loop`).
"""
