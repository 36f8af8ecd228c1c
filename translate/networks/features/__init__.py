"""Frozen pretrained networks, whose features losses and discriminators compare. Nothing of them is trained or saved.

efficientnet_lite  EfficientNet-Lite0, trained on ImageNet
load               features by name or from a file of weights
vgg                VGG-16, trained on ImageNet
"""
