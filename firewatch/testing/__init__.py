"""What tests need, shipped with the product: a clock to move, fakes of the ports, and the runner of `.test.yaml`."""
