import logging

logging.getLogger("torch.__trace").propagate = False  # pytest would format a record of every step of the tracer
