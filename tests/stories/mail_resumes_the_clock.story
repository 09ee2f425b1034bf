# Who waits for the customer loses no time until he answers, and from then on does (R22): opened at 11 minutes, the order's
# hour stands still from 20 to 30 minutes.

config repair=on
unit acme-lon-1 customer=acme ttr=1h

at 1m acme-lon-1 silent
at 20m case acme-lon-1 wait customer
at 25m mail from acme@customer.example automatic reply acme-lon-1 "out of office"
at 26m expect case acme-lon-1 P1 Waiting
at 30m mail from acme@customer.example reply acme-lon-1 "you can come now"
at 31m expect case acme-lon-1 P1 Working
at 1h20m59s expect level acme-lon-1 none
at 1h21m1s expect level acme-lon-1 L1
