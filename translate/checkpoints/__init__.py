"""Model files.

They are the one thing that training and inference share.

    model_file          one safetensors file with a recipe in its metadata
    original            checkpoints of pytorch-CycleGAN-and-pix2pix and CUT, read as models
    original_networks   which network such a checkpoint holds
    recipe              what a model is, and what it was trained for
    validation          checks of a recipe before anything is built from it
"""
