# R32: a P1 is closed only after its customer's mail server has taken the reason for outage. The line is back at 15:00 and
# the case solved at 20:00, so its window of 10 minutes is over at 30:00.
config p1=10m p2=10m rfo_p1=required
unit acme-lon-1 customer=acme
at 0s       acme-lon-1 silent
at 15m      acme-lon-1 answer 12ms
at 20m      expect case acme-lon-1 P1 Solved
at 29m59s   expect letters acme 2
# The document is ordered at that moment and written 30 ms later; its letter is taken 50 ms after that.
at 30m      expect case acme-lon-1 P1 Solved
at 30m      expect letters acme 2
at 30m30ms  expect letters acme 3
at 30m79ms  expect case acme-lon-1 P1 Solved
at 30m80ms  expect case acme-lon-1 P1 Closed
at 30m80ms  expect letters acme 4
at 40m      acme-lon-1 silent
at 51m      expect case acme-lon-1 P1 New
at 51m      expect cases 2
