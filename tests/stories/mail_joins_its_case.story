# A reply joins the case whose letter it answers; only a person moves anything, and only of the same customer (R23, R29).

config update_p1=1h
unit acme-lon-1 customer=acme
unit globex-ber-1 customer=globex

at 1m acme-lon-1 silent
at 1m globex-ber-1 silent
at 20m expect case acme-lon-1 P1 New
# Its letters went to acme and to the NOC.
at 20m expect letters noc 2

# A person writes: the operations centre is told, the case waits for nobody.
at 21m case acme-lon-1 wait customer
at 22m mail from acme@customer.example reply acme-lon-1 "the lamp is red"
at 23m expect case acme-lon-1 P1 Working
at 23m expect mails joined 1
at 23m expect letters noc 3

# A program answers: it is attached, and that is all.
at 24m case acme-lon-1 wait customer
at 25m mail from acme@customer.example automatic reply acme-lon-1 "out of office"
at 26m expect case acme-lon-1 P1 Waiting
at 26m expect mails joined 2
at 26m expect letters noc 3

# Who is of another customer, unknown, or disowned by his domain joins nothing.
at 27m mail from globex@customer.example reply acme-lon-1 "wrong thread"
at 27m mail from stranger@x.example reply acme-lon-1 "hello"
at 27m mail from acme@customer.example forged reply acme-lon-1 "pay here"
at 28m expect mails quarantined 3
at 28m expect mails joined 2
at 28m expect case acme-lon-1 P1 Waiting

# A bare reference in a subject joins only with a domain that vouches for its sender, and never another's case.
at 29m mail from acme@customer.example claim acme-lon-1
at 29m mail from globex@customer.example claim acme-lon-1
at 30m expect mails joined 3
at 30m expect mails quarantined 4

# What is not read yet is read after a crash.
at 31m monitor crash
at 32m mail from acme@customer.example reply acme-lon-1 "are you there?"
at 33m monitor start
at 34m expect mails joined 4
at 34m expect case acme-lon-1 P1 Working
