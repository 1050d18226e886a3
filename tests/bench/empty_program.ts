/** What a command of queuectl is measured against: a program that does nothing. */
