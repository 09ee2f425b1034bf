# A probe lost while the monitor was cut off begins no loss, also if the next ones are lost after that.
config timeout=3s
unit a customer=acme
sentinel gateway
at 0s        all answer 12ms
at 59m55s    a silent
at 59m58s    gateway silent
at 1h4s      gateway answer 12ms
at 1h9s      expect verdict a UP
at 1h19s     expect verdict a LOSS
at 1h10m9s   expect no case a
at 1h10m10s  expect case a P1 New
until 2h
