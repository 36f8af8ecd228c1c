"""Exact tiled inference: pictures larger than memory, with the result of one pass over the whole picture.

canvas           the translation of a gigapixel picture
disk_raster      rows of pixels in an unnamed temporary file
engine           the tiled forward pass
feature_maps     the store of kept feature maps, and the memory plan
local_norm       moments of neighbourhoods, interpolated
receptive_field  the input region that each operation needs, and the output computed from it
regions          regions of feature maps, and moments merged from parts
tiled_pass       a pass over a picture that is read and written tile by tile
trace            a network as an fx graph, and the feature maps to keep
windows          the windows in which holes are filled, one after the other
"""
