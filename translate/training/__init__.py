"""The training core: one loop that knows no method.

A task brings the mathematics; optimizers, precision, averaging, schedules, seeds, states and logs are this room's.

    autotune        precision, layout, crop and number of steps, chosen by timing the real step
    config          the configuration of a run, from a preset, files and flags
    config_checks   checks of values that types cannot make
    cuda_graph      the step as one CUDA graph
    divergence      losses and weights that are not finite or explode, a discriminator of no use
    ema             the averaged generator, which is exported
    failure_modes   faults that show in a few pictures
    findings        what can go wrong, in words
    init_weights    weights from a model or a checkpoint (--init)
    log             metrics.jsonl, the live line, sample grids, TensorBoard
    loop            the training loop
    mode_collapse   variety of generated pictures, and pictures learned by heart
    optim           Adam for every phase, and the learning rate of a step
    previews        sample grids, their faults, and a film of them
    run_folder      the folder of a run
    setup           everything before the first step: checks, data, plan, networks, state
    start/          what a run does before its first step: compare, extend, report
    state_file      the file of one training state
    states          the newest states of a run, and when they are saved
    step            one training step: every phase of a task once
"""
