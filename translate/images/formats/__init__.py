"""Single file formats: their decoding, their encoding, and what their files say besides the pixels.

bmp            decoding of uncompressed BMP
heif           HEIC by pillow-heif
isobmff        the container of HEIC and AVIF
npy            .npy files as pictures
png            chunks of PNG
tiff           decoding of TIFF
tiff_segments  strips and tiles of TIFF
tiff_tags      writing of TIFF, and what it says of itself
"""
