"""What a run does before its first step: compare, extend, report.

adaptation    a model adapted to few pictures: layers frozen, low-rank corrections
domain_gap    whether texture or layout tells two domains apart
extension     the options of an earlier start, and a run made longer
features      the pretrained features of a run
init_weights  weights from a model or a checkpoint (--init)
messages      notes to the user, and the header of a run
pictures      the pictures that a run began with, and their changes since
teacher       the teacher of a student's run, and what the student's model file takes from it
"""
