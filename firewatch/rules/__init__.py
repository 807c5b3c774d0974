"""What counts as a condition: the YAML grammar (`spec`) and one evaluator a module.

Pure: nothing here reads a clock, a file or a socket. An evaluator turns observations into
active, inactive or unknown, and answers when it next wants to be woken.
"""
