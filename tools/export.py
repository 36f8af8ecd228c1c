"""Write a model as one file that other programs run: ONNX, torch.export or OpenVINO."""

from translate.cli import main

if __name__ == "__main__":
    main("export")
