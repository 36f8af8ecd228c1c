"""A benchmark of recipes: sets x recipes x seeds at equal CPU seconds, judged by the panel of `evaluation`.

Every job, one recipe on one set with one seed, runs in a process of its own with one thread, in a folder of its own
from which it goes on after an interruption.

    budget            CPU seconds a step, and the steps of a budget
    comparison        all jobs of a benchmark, and their report
    job               one recipe on one set with one seed, and the folder of its results
    job_process       the process of a job: time steps, train, answer
    original_process  the same with the original repository's code
    picture_set       a set of pictures, the recipes that fit it, and its held-out questions
    report            scores of the answers, as tables and JSON
    sheet             contact sheets
"""
