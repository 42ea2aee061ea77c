"""Surgery: how a network gets another shape and its state goes on."""
