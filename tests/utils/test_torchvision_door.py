import subprocess
import sys

CODE = """
import sys
from translate.utils.torchvision_door import import_torchvision
torchvision = import_torchvision()
assert import_torchvision() is torchvision is sys.modules["torchvision"]
import torch, torchvision.models
from torchvision.transforms import v2
assert v2.functional.resize(torch.zeros(3, 8, 8), [4, 4]).shape == (3, 4, 4)
assert torchvision.models.squeezenet1_1(weights=None).eval()(torch.zeros(1, 3, 64, 64)).shape == (1, 1000)
"""


def test_torchvision_can_be_imported_whatever_torch_it_was_built_for():
    subprocess.run([sys.executable, "-c", CODE], check=True)
