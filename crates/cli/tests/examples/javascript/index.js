'use strict';

// One component for all examples, so that the tests build once: the distribution's id says which one an event is for.
const EXAMPLES = {
  'ab-testing': require('./ab-testing'),
  'access-body': require('./access-body'),
  'content-based-origin': require('./content-based-origin'),
  'country-redirect': require('./country-redirect'),
  'failing': require('./failing'),
  'generated-response': require('./generated-response'),
  'login-redirect': require('./login-redirect'),
  'normalize-query': require('./normalize-query'),
  'override-header': require('./override-header'),
  'update-error-status': require('./update-error-status'),
  'node-modules': require('./node-modules'),
};

exports.handler = (event, context, callback) =>
  EXAMPLES[event.Records[0].cf.config.distributionId].handler(event, context, callback);
