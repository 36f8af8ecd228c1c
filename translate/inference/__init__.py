"""Inference: a trained model applied to images, folders, videos and latent codes.

One image passes translator, preprocess, runner and postprocess, in this order.

    folder/          translation of folders
    inputs/          the kinds of image and mask that users give, and streams of them
    latent/          style codes of generators: arithmetic, interpolation, projection, editing
    onnx/            models as ONNX files, without torch
    tiling/          exact tile-by-tile passes through a network
    video/           translation of videos
    enlargement      what models of higher resolution keep of a picture, and its exact means
    gigapixel        pictures that are too large for the memory
    inpainting       filling of holes without a seam
    memory_budget    the memory that a pass takes, and the free memory
    mode_choice      the precision and layout of a model's networks, chosen once and remembered
    norm_statistics  the statistics by which networks normalise a picture
    options          options of folders and videos
    postprocess      from network outputs to the user's kind of image
    precision        the trial of precisions and layouts
    preprocess       from the user's image to network inputs
    request          requests to a model, and prepared pictures
    runner           the networks of a model as passes over pictures of any size
    sampler          a trained generator as one callable
    translator       a trained model as one callable
"""
