# A customer who names a request in the subject has one, beside whatever his line does; an incident counts wherever it is named
# (R14, R23).
unit acme-lon-1 customer=acme order=SO/100-7
unit acme-lon-2 customer=acme order=SO/100-8
unit globex-1 customer=globex order=GX/1
at 1m   mail from acme@customer.example subject "Engineer Dispatch for SO/100-7"
at 2m   expect case acme-lon-1 P3 New
at 3m   mail from acme@customer.example subject "acme-lon-1 is slow since the software update"
at 4m   expect case acme-lon-1 P2 New
at 4m   expect cases 2
# The same request once more may be a duplicate; another one is none.
at 5m   mail from acme@customer.example subject "engineer dispatch, SO/100-7"
at 6m   expect mails quarantined 1
at 7m   mail from acme@customer.example subject "SO/100-7: Utilization Report"
at 8m   expect cases 3
# Two lines, and another customer's: people decide.
at 9m   mail from acme@customer.example subject "Other: SO/100-7 and SO/100-8"
at 10m  mail from acme@customer.example subject "Other: GX/1"
at 11m  expect mails quarantined 3
at 11m  expect mails opened 3
# Who asked has each letter; so has the operations centre.
at 11m  expect letters acme 3
at 11m  expect letters globex 0
until 12m
