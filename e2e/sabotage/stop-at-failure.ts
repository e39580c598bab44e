import fc from 'fast-check';

// A failure is expected here: to make it small would take longer than to find it.
fc.configureGlobal({ endOnFailure: true });
