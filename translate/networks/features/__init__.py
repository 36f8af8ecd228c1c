"""Frozen pretrained networks, whose features losses and discriminators compare. Nothing of them is trained or saved.

dinov2             DINOv2, a vision transformer trained without labels
efficientnet_lite  EfficientNet-Lite0, trained on ImageNet
load               features by name or from a file of weights
vgg                VGG-16, trained on ImageNet
"""
