"""Reports of finished runs: one page of a run, and several runs side by side.

trained_run         a run as it lies in its folder
resources           time, memory and versions, recorded when training ends
data_facts          what a run was trained on: pictures, fingerprint, licences
findings            what is wrong with a finished run, in words
scores              the evaluation of a run, kept in its folder
measures            the scores of a model as a flat list of numbers
examples            held-out pictures that models answer
answers             the answers to single pictures, from the best to the worst
curves              losses, scores and speed over the steps
line_plot           curves as SVG
rich_blocks         printed tables as rows and texts for a page
model_card          the card of a model that is shared
embedded_pictures   pictures inside a page, within a total size
page                the page of a run, one HTML file
comparison          runs side by side: what differs, scores, costs
comparison_table    the same as a table
comparison_grid     answers of several models to the same pictures
"""
