from translate.reports.curves import plots_of


def test_scores_losses_health_and_the_rest_have_plots_of_their_own():
    lines = [
        {"step": 1, "G/gan": 1.0, "G/cycle": 2.0, "D/gan": 3.0, "lr": 0.1, "seconds": 1.0, "images_per_second": 2.0},
        {"step": 2, "score/kernel": 40.0, "score/kernel_error": 4.0},
        {"step": 3, "health/spread": 0.5, "mine": 4.0, "lr_factor/G": 0.5},
        {"step": 4, "score/kernel": 30.0, "G/gan": 0.5},
        {"step": 4, "score/average_0.05": 29.0, "score/average_0.10": 28.0},
    ]
    plots = {plot.title: plot for plot in plots_of(lines)}
    assert list(plots) == [
        "score on the choosing half, kernel",
        "kernel distance on the choosing half",
        "losses of G",
        "losses of D",
        "variety of the samples",
        "lr",
        "mine",
        "lr_factor/G",
    ]
    assert (
        plots["score on the choosing half, kernel"].series == {"kernel": [(2, 40.0), (4, 30.0)]}
        and plots["score on the choosing half, kernel"].dots
    )
    averages = plots["kernel distance on the choosing half"]
    assert averages.series == {"kernel": [(5, 29.0), (10, 28.0)]} and "averaged" in averages.over
    assert plots["losses of G"].series == {"gan": [(1, 1.0), (4, 0.5)], "cycle": [(1, 2.0)]}


def test_a_log_without_lines_has_no_plots():
    assert plots_of([]) == []
