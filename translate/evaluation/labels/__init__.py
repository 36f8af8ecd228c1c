"""Scores by labels: of whole pictures, which samples should show, and of their pixels, which label maps give.

attribute_report  a row for each label that a model changes
attributes        models that change labels of pictures
classifier        small classifier for label agreement
label_agreement   agreement of samples with labels and factors
label_map_report  IoU and pixel accuracy, and each class
label_maps        pairs whose target are label maps
map_pairs         test pairs with label maps, shown in colours
"""
