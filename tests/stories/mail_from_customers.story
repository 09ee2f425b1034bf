# A message of a known customer opens a case at once if it says which line it is about; else people decide (R9, R23, R50).

unit acme-lon-1 customer=acme order=SO-1001
unit acme-lon-2 customer=acme order=SO-1002
unit solo-1 customer=solo

at 1m mail from acme@customer.example subject "Service Down: order SO-1002"
at 2m expect case acme-lon-2 P1 New
at 2m expect mails opened 1
# A reference, to everybody who gets its letters: the customer and the operations centre.
at 2m expect letters acme 1

at 3m mail from acme@customer.example subject "acme-lon-1 is slow."
at 4m expect case acme-lon-1 P2 New

# About a line that has a case: that may be a duplicate.
at 5m mail from acme@customer.example subject "SO-1002 is still down"
at 6m expect mails quarantined 1
# About some line.
at 7m mail from acme@customer.example subject "our line is down"
at 8m expect mails quarantined 2
# Who has one line only writes of that one.
at 9m mail from solo@customer.example subject "something is wrong"
at 10m expect case solo-1 P2 New
# Strangers and programs open nothing.
at 11m mail from stranger@x.example subject "SO-1001 is down"
at 11m mail from acme@customer.example automatic subject "Out of office"
at 12m expect mails quarantined 3
at 12m expect mails ignored 1
at 12m expect cases 3
