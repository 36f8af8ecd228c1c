"""Metrics: functions of pictures or of their features, named by the metric.

similarity            L1, PSNR and SSIM of pictures and their truths
inpainting            L1, PSNR and SSIM inside a filled hole, and the seam along its border
edge_f1               precision, recall and F1 of the lines of two drawings
multimodal_coverage   coverage, precision and diversity of several answers, by CIEDE2000
class_overlap         pixel accuracy of label maps, and IoU of each class
kernel_distance       squared MMD between the features of two sets (KID)
density_coverage      density and coverage of samples among real pictures
diversity             mean pairwise distance in a set, and nearest neighbours
dct_features          block-DCT spectra and colour moments, without trained weights
novelty               distance of a picture to a set, and its p-value by rank
near_copies           whether a result is its input nearly unchanged
lattice               what stands at the same place of every 8 x 8 px cell in all pictures of a set
squeezenet_features   SqueezeNet 1.0 features, from the user's weights
hallucination         contents that a result invents or loses, where both states of the truth are known
image_sets            sets of pictures with features, and simple baselines
colour_transfer       Reinhard's colour transfer, a baseline
torchmetrics_backend  the one import of torchmetrics
"""
