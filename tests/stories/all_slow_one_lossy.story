# All lines are slow at once: that is our own side. It says nothing of the one line that loses a third of its probes.
units a- 1..40 customer=acme
unit lossy customer=beta
at 0s        all answer 12ms
at 1h        all answer 900ms
at 1h        lossy lose 33%
at 1h20m     expect case lossy P2 New
at 1h20m     expect cases 1
at 1h20m     expect alarm impaired
until 2h
