# The daemon is taken off the processor for half an hour: the line is UNOBSERVED meanwhile, not lost.
unit a customer=acme
unit b customer=acme
at 0s        all answer 12ms
at 1h        monitor suspend
at 1h10m     b silent
at 1h30m     monitor resume
at 1h31m     expect verdict a UP
at 1h31m     expect verdict b LOSS
at 1h39m     expect no case b
at 1h40m20s  expect case b P1 New
at 1h41m     expect no case a
until 2h
