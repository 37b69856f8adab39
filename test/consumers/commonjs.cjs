'use strict';
const express = require('express');
const hookPackage = require('okta-telephony-hook');
const testing = require('okta-telephony-hook/testing');
const serveACall = require('./serve-a-call.cjs');

void serveACall('commonjs', { express, hookPackage, testing });
