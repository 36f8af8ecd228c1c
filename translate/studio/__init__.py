"""The studio: a page in the browser and an HTTP API for everything that a model can do.

`app` builds the application of a `settings.Settings`; its parts share the `state.Studio` of a request.

    app          the application: middleware, routes, the page
    answers      pictures as HTTP answers: one file, a zip, or JSON
    errors       every error as JSON with one line
    latent       points of a latent space, and pictures with their styles
    limits       the size of a request's body
    progress     answers with their progress
    routes/      the endpoints, one router a file
    security     who may talk to the server: Host, Origin, token
    serve        the server as a process: port, browser, signals
    settings     what the command line decides
    shelf        the models, by name, loaded when they are needed
    state        what the endpoints share
    training/    the page Train: runs, their processes, and their pictures
    translation  one picture through a model, as translate_folder does it
    uploads      temporary folders of requests
    worker       the queue of computations, their time limit, and their figures

`page/` holds the HTML, style sheet and JavaScript modules, which are served as they are.
"""
