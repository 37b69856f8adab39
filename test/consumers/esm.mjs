import express from 'express';
import * as hookPackage from 'okta-telephony-hook';
import * as testing from 'okta-telephony-hook/testing';
import serveACall from './serve-a-call.cjs';

await serveACall('esm', { express, hookPackage, testing });
