"""Export: a trained model as a file that other programs run, or as a small model.

formats         the formats besides ONNX
forms           networks as a graph can hold them: without noise of their own and without loops over sizes
graph           the network of a model as a function of its inputs alone
onnx_export     a graph as an ONNX model
onnx_operators  operators of ours in ONNX
parity          whether a file computes what the model computes
pictures        real pictures to compare and calibrate with
quantise        smaller forms of an ONNX model
recipes         how an exported file is used, in words and numbers
run             write a file, compare it, keep it
students/       a small model that gives the answers of a large one
"""
