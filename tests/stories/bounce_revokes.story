# A customer whose letter came back was not informed: what it kept was not kept, and its time has run all the while (R12, R16).

config first_response=30m
unit acme-lon-1 customer=acme

at 1m acme-lon-1 silent
# Opened at 11 minutes: a first response is due at 41.
at 20m case acme-lon-1 update public
at 21m expect level acme-lon-1 none
at 35m bounce acme@customer.example
at 36m expect mails report 1
at 40m50s expect level acme-lon-1 none
at 41m1s expect level acme-lon-1 L1
