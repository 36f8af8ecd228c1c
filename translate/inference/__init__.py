"""Inference: a trained model applied to images, folders, videos and latent codes.

One image passes translator, preprocess, runner and postprocess, in this order.

    folder/          translation of folders
    latent/          style codes of generators: arithmetic, interpolation, projection, editing
    tiling/          exact tile-by-tile passes through a network
    video/           translation of videos
    gigapixel        pictures that are never whole in memory
    inpainting       filling holes, and removing the seam
    masks            the hole of a picture
    memory_budget    the memory that a pass takes, and how much there is
    norm_statistics  the statistics by which networks normalise a picture
    options          options of folders and videos
    postprocess      from network outputs to the user's kind of image
    precision        the fastest precision and layout with the same results
    preprocess       from the user's image to network inputs
    request          what is asked of a model, and a prepared picture
    runner           the networks of a model as passes over pictures of any size
    sampler          a trained generator as one callable
    scene_cuts       where a video cuts to another scene
    tiled_pass       one pass over a picture that is read and written tile by tile
    translator       a trained model as one callable
    windows          the windows in which holes are filled
"""
