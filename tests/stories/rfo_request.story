# Who asks for a reason for outage of a closed case has a request that is linked to it (R33); the document is the answer, and
# the request closes when the customer's server has taken it.
config p1=1h
unit u customer=acme
at 0s       u silent
at 20m      u answer 12ms
at 26m      expect case u P1 Solved
at 2h       expect case u P1 Closed
at 3h       mail from acme@customer.example subject "RFO Request: service down this morning"
at 3h1m     expect case u P3 New
at 3h1m     expect cases 2
# Asking once more may be the same.
at 3h2m     mail from acme@customer.example subject "RFO Request"
at 3h3m     expect mails quarantined 1
at 4h       mail refuse
at 4h       case u rfo
at 4h1m     expect case u P3 New
at 4h2m     mail accept
at 5h       expect case u P3 Closed
until 6h
