"""One picture, in memory and in files; tensors, grids, films and line drawings.

animation          films from frames: .gif, .webp, .mp4, .webm
bmp                decoding of uncompressed BMP
cmyk               CMYK to sRGB
decode             decoding of picture files
encode             encoding of picture files
grid               sheets of pictures
headers            the size of a picture from its file's header, and whether the file is whole
io                 reading and writing of picture files
line_drawings      drawings by users: recognised and normalised
npy                .npy files as pictures
picture            one picture in memory, and conversions of depth and scale
pyav               the import of PyAV
sketch_extraction  line drawings from photos
tensors            arrays to tensors and back, to a device and back; padding
tiff               decoding of TIFF
tiff_segments      strips and tiles of TIFF
tiff_tags          writing of TIFF, and what it says of itself
vips               the import of libvips
"""
