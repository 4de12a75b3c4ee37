"""What a screen or the command line may ask for: submit work and read results, one module a step."""
