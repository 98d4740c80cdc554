"""A plugin for napari: restore the selected layer, and read and write pictures as `untaught` does.

`napari.yaml` says what is offered. `widget` is what is clicked, and nothing more: `session` runs one fit at a time
and tells of it, `layers` makes pictures of layers and layers of pictures, both without Qt and without napari.
`reader`, `writer` and `samples` are the hand-offs.
"""
