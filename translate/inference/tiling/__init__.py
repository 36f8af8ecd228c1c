"""Exact tiled inference: pictures larger than memory, with the result of the whole picture at once.

engine           the tiled forward pass
trace            a network as an fx graph, and which feature maps are kept
receptive_field  the input region that each operation needs, and its output from that
regions          regions of feature maps, and moments merged from parts
local_norm       moments of neighbourhoods, interpolated
feature_maps     the store of kept feature maps, and the memory plan
disk_raster      rows of pixels in an unnamed file
"""
