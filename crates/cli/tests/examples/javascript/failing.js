'use strict';

// What handlers do that fail, and other habits, by path.
exports.handler = (event, context, callback) => {
  const request = event.Records[0].cf.request;
  switch (request.uri) {
    case '/throws':
      throw new TypeError('thrown on purpose');
    case '/calls-back':
      callback(new Error('called back on purpose'));
      return undefined;
    case '/rejects':
      return Promise.reject(new RangeError('rejected on purpose'));
    case '/exits':
      return process.exit(1);
    case '/nothing':
      return undefined;
    case '/twice':
      callback(null, request);
      callback(new Error('too late'));
      return undefined;
    case '/waits': {
      // The answer is sent when the event loop is empty, by then the timer has changed it.
      const answer = { status: '200', body: 'before' };
      callback(null, answer);
      setTimeout(() => {
        answer.body = 'after';
      }, 20);
      return undefined;
    }
    case '/does-not-wait': {
      const answer = { status: '200', body: 'before' };
      context.callbackWaitsForEmptyEventLoop = false;
      callback(null, answer);
      setTimeout(() => {
        answer.body = 'after';
      }, 20);
      return undefined;
    }
    case '/promise-decides':
      callback(new Error('ignored'));
      return Promise.resolve(request);
    case '/succeeds':
      context.succeed(request);
      return undefined;
    case '/fails':
      context.fail(new Error('failed on purpose'));
      return undefined;
    case '/done':
      context.done(null, request);
      return undefined;
    case '/context':
      return { status: '200', body: JSON.stringify({ ...context, remaining: context.getRemainingTimeInMillis() }) };
    default:
      return request;
  }
};
