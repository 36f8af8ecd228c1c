"""Model files: the only thing that training and inference share.

adapters            low-rank corrections of a model, and files that hold these alone
calibrate           a calibration from the pictures of a run
calibration         how unlike the training pictures an input is, as a part of the model file
description         what a page in the browser needs to know of a model
hub/                models on the Hugging Face Hub: fetched by name, and uploaded
model_file          one safetensors file with a recipe in its metadata
model_hash          the identity of a loaded model
original            checkpoints of pytorch-CycleGAN-and-pix2pix and CUT, read as models
original_networks   the networks in these checkpoints
recipe              the networks of a model, and its training
validation          checks of a recipe before anything is built from it
"""
