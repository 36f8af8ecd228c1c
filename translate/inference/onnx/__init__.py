"""Models as ONNX files, run by onnxruntime; nothing here imports torch.

file        opening and checking a file
folder      translation of folders
foreign     files of other programs
noise       the noise that torch draws, without torch
recipe      how a file is used, as its metadata say it
runner      passes over prepared pictures
sampler     a file as a callable that makes new pictures
translator  a file as one callable
"""
