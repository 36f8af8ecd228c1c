"""Loading: from picture files to batches of tensors.

cache           decoded pictures in a memory-mapped file
crops           random crops, on the CPU or on a device that holds all pictures
degradation     small copies of pictures for super-resolution
file_kind       the channels and depth that a domain's files are read with
hints           random colour strokes drawn from a photo
loader          streams of samples, and batches prefetched by threads
mask_shapes     the kinds of random holes
mixed_stream    batches of two domains, and of true pairs in between
native_size     the resolution worth training at
preview_images  the pictures of sample grids
random_masks    random masks for training and evaluation
transforms      resizing, center crop and colour jitter
"""
