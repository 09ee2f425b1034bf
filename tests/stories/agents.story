# An agent that falls silent or refuses our credentials is the operator's housekeeping: known, and no customer's case.
unit a customer=acme
unit b customer=acme
at 0s        all answer 12ms
at 1h        a snmp silent
at 1h        b snmp rejects
at 1h10m     expect agent a silent
at 1h10m     expect agent b rejects
at 1h10m     expect verdict a UP
at 5h        a snmp answers
at 5h        b snmp answers
at 5h5m      expect agent a answers
at 5h5m      expect agent b answers
at 5h5m      expect cases 0
until 6h
