"""Export: a trained model as a file that other programs run, or as a small model.

formats          the formats besides ONNX
forms            networks as a graph can hold them: without noise of their own and without loops over sizes
graph            the network of a model as a function of its inputs alone
onnx_export      a graph as an ONNX model
onnx_operators   operators of ours in ONNX
onnxruntime_web  the npm package that runs models in browsers
page             the folder of a page: the studio's pages with a model in the browser behind them
page_model       what the pages need to know of a model
parity           whether a file computes what the model computes
pictures         real pictures to compare and calibrate with
quantise         smaller forms of an ONNX model
recipes          how an exported file is used, in words and numbers
run              write a file, compare it, keep it
site             a model exported to its page
students/        a small model that gives the answers of a large one
"""
