"""One picture, in memory and in files; tensors, grids, films and line drawings.

animation          films from frames: .gif, .webp, .mp4, .webm
cmyk               CMYK to sRGB
decode             decoding of picture files
encode             encoding of picture files
exif               EXIF: corrected, moved, and made from the tags of a TIFF
foreign            formats that are not read, and what to do with such files
formats/           single file formats
grid               sheets of pictures
headers            the size of a picture from its file's header, and whether the file is whole
io                 reading and writing of picture files
label_maps         the classes of label maps; maps as class numbers, planes, files and colours
line_drawings      drawings by users: recognised and normalised
metadata           what cameras and editors write: EXIF, XMP, IPTC, comments
picture            one picture in memory, and conversions of depth and scale
pillow             Pillow's settings while a header is read
pyav               the import of PyAV
samples            full scale, and colours without alpha
sketch_extraction  line drawings from photos
tensors            arrays to tensors and back, to a device and back; padding
vips               the import of libvips
"""
