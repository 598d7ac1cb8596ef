console.log('billing');
